//! Forms inside of lists, options, boxes and borrowed values.
//!
//! Serde derives a form (`#[serde(remote = "…")]`) as two functions, and these adapters carry it into other types:
//! `#[serde(with = "List::<FailingRecordForm>")]`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// How a value of another crate is written and read.
pub(crate) trait Form<T> {
    /// Writes a value.
    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;
}

/// Makes a trait of the functions that serde derives.
macro_rules! forms {
    ($($form:ident => $of:ty),* $(,)?) => {$(
        impl $crate::wire::form::Form<$of> for $form {
            fn write<S: serde::Serializer>(value: &$of, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(value, serializer)
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<$of, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    )*};
}

pub(crate) use forms;

/// A borrowed value with its form.
struct BorrowedValue<'v, T, F>(&'v T, PhantomData<F>);

impl<T, F: Form<T>> Serialize for BorrowedValue<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::write(self.0, serializer)
    }
}

/// A value that was read by its form.
struct OwnedValue<T, F>(T, PhantomData<F>);

impl<'de, T, F: Form<T>> Deserialize<'de> for OwnedValue<T, F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::read(deserializer).map(|value| Self(value, PhantomData))
    }
}

/// The form of a list.
pub(crate) struct List<F>(PhantomData<F>);

impl<F> List<F> {
    pub(crate) fn serialize<T, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error>
    where
        F: Form<T>,
    {
        serializer.collect_seq(values.iter().map(|value| BorrowedValue::<T, F>(value, PhantomData)))
    }

    pub(crate) fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error>
    where
        F: Form<T>,
    {
        struct Values<T, F>(PhantomData<(T, F)>);

        impl<'de, T, F: Form<T>> Visitor<'de> for Values<T, F> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(OwnedValue(value, _)) = list.next_element::<OwnedValue<T, F>>()? {
                    values.push(value);
                }
                Ok(values)
            }
        }

        deserializer.deserialize_seq(Values::<T, F>(PhantomData))
    }
}

/// The form of a value that may not be there.
pub(crate) struct Maybe<F>(PhantomData<F>);

impl<F> Maybe<F> {
    pub(crate) fn serialize<T, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
    where
        F: Form<T>,
    {
        value.as_ref().map(|value| BorrowedValue::<T, F>(value, PhantomData)).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        F: Form<T>,
    {
        let found = Option::<OwnedValue<T, F>>::deserialize(deserializer)?;
        Ok(found.map(|OwnedValue(value, _)| value))
    }
}

impl<T, F: Form<T>> Form<Option<T>> for Maybe<F> {
    fn write<S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(value, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// The form of a value in a box.
pub(crate) struct Boxed<F>(PhantomData<F>);

impl<F> Boxed<F> {
    pub(crate) fn serialize<T, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        F: Form<T>,
    {
        F::write(value, serializer)
    }

    pub(crate) fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Box<T>, D::Error>
    where
        F: Form<T>,
    {
        F::read(deserializer).map(Box::new)
    }
}

impl<T, F: Form<T>> Form<Box<T>> for Boxed<F> {
    fn write<S: Serializer>(value: &Box<T>, serializer: S) -> Result<S::Ok, S::Error> {
        F::write(value, serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<T>, D::Error> {
        F::read(deserializer).map(Box::new)
    }
}

/// The form of a value that is borrowed where it is written, and owned where it is read.
pub(crate) struct Lent<F>(PhantomData<F>);

impl<F> Lent<F> {
    #[expect(clippy::ptr_arg, reason = "serde hands fields over so")]
    pub(crate) fn serialize<T: Clone, S: Serializer>(
        value: &Cow<'_, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        F: Form<T>,
    {
        F::write(value, serializer)
    }

    pub(crate) fn deserialize<'de, 'v, T: Clone, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'v, T>, D::Error>
    where
        F: Form<T>,
    {
        F::read(deserializer).map(Cow::Owned)
    }
}
