//! Forms inside of lists, options, boxes and borrowed values.
//!
//! Serde derives a form (`#[serde(remote = "…")]`) as two functions. These adapters apply it in other types:
//! `#[serde(with = "List::<FailingRecordForm>")]`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// The serialised form of a type of another crate.
pub(crate) trait RemoteForm<T> {
    /// Writes a value.
    fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

/// Implements [`RemoteForm`] by the functions that serde derives.
macro_rules! forms {
    ($($form:ident => $of:ty),* $(,)?) => {$(
        impl $crate::wire::form::RemoteForm<$of> for $form {
            fn serialize<S: serde::Serializer>(value: &$of, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(value, serializer)
            }

            fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<$of, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    )*};
}

pub(crate) use forms;

/// A borrowed value with its form.
pub(super) struct BorrowedForm<'v, T, F>(&'v T, PhantomData<F>);

impl<'v, T, F> BorrowedForm<'v, T, F> {
    pub(super) fn new(value: &'v T) -> Self {
        Self(value, PhantomData)
    }
}

impl<T, F: RemoteForm<T>> Serialize for BorrowedForm<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::serialize(self.0, serializer)
    }
}

/// A value that was read by its form.
struct OwnedForm<T, F>(T, PhantomData<F>);

impl<'de, T, F: RemoteForm<T>> Deserialize<'de> for OwnedForm<T, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::deserialize(deserializer).map(|value| Self(value, PhantomData))
    }
}

/// The form of a list.
pub(crate) struct List<F>(PhantomData<F>);

impl<T, F: RemoteForm<T>> RemoteForm<Vec<T>> for List<F> {
    fn serialize<S: Serializer>(values: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(BorrowedForm::<T, F>::new))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        let values = Vec::<OwnedForm<T, F>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|OwnedForm(value, _)| value).collect())
    }
}

/// The form of an optional value.
pub(crate) struct Maybe<F>(PhantomData<F>);

impl<T, F: RemoteForm<T>> RemoteForm<Option<T>> for Maybe<F> {
    fn serialize<S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(BorrowedForm::<T, F>::new).serialize(serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let value = Option::<OwnedForm<T, F>>::deserialize(deserializer)?;
        Ok(value.map(|OwnedForm(value, _)| value))
    }
}

/// The form of the values of a map.
pub(crate) struct Map<F>(PhantomData<F>);

impl<T, F: RemoteForm<T>> RemoteForm<BTreeMap<String, T>> for Map<F> {
    fn serialize<S: Serializer>(map: &BTreeMap<String, T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(key, value)| (key, BorrowedForm::<T, F>::new(value))))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
        let map = BTreeMap::<String, OwnedForm<T, F>>::deserialize(deserializer)?;
        Ok(map.into_iter().map(|(key, OwnedForm(value, _))| (key, value)).collect())
    }
}

/// The form of a boxed value.
pub(crate) struct Boxed<F>(PhantomData<F>);

impl<T, F: RemoteForm<T>> RemoteForm<Box<T>> for Boxed<F> {
    fn serialize<S: Serializer>(value: &Box<T>, serializer: S) -> Result<S::Ok, S::Error> {
        F::serialize(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<T>, D::Error> {
        F::deserialize(deserializer).map(Box::new)
    }
}

/// The form of a value that is borrowed for writing, and owned after reading.
pub(crate) struct Lent<F>(PhantomData<F>);

impl<'v, T: Clone, F: RemoteForm<T>> RemoteForm<Cow<'v, T>> for Lent<F> {
    fn serialize<S: Serializer>(value: &Cow<'v, T>, serializer: S) -> Result<S::Ok, S::Error> {
        F::serialize(value, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'v, T>, D::Error> {
        F::deserialize(deserializer).map(Cow::Owned)
    }
}
