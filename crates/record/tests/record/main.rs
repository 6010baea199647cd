//! The record as those who rely on it see it: what was recorded is there, whatever happened to the process, the disk
//! or a sink. Apart from the unit tests, because it goes through the public interface alone.

#[cfg(test)]
mod artefacts;
#[cfg(test)]
mod captures;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod sinks;
#[cfg(test)]
mod site;
#[cfg(test)]
mod sqlite;
