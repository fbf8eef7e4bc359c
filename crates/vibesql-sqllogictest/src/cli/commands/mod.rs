//! One file for each command: its arguments are in `args`, what it does is here.

pub(super) mod list;
pub(super) mod run;
pub(super) mod test;
