//! What is in a file. Apart, because the files of hundreds of devices would fill the memory if each were kept before
//! anybody asks for it.

use super::Content;
use crate::random::Random;
use std::sync::Arc;

/// What is in a file.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    Held(Content),
    /// What can be made again whenever somebody reads it.
    Drawn(Arc<Drawn>),
}

/// A file of which only the beginning is kept.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) head: Vec<u8>,
    pub(super) size: usize,
    pub(super) fill: Fill,
}

/// What follows the beginning.
#[derive(Debug)]
pub(super) enum Fill {
    /// What is drawn from this seed.
    Seed(u64),
    /// These octets, over and over.
    Octets(Vec<u8>),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Held(Arc::default())
    }
}

impl Bytes {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Held(content) => content.len(),
            Self::Drawn(drawn) => drawn.size,
        }
    }

    pub(super) fn content(&self) -> Content {
        match self {
            Self::Held(content) => content.clone(),
            Self::Drawn(drawn) => Arc::new(drawn.make()),
        }
    }
}

impl Drawn {
    fn make(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size);
        bytes.extend_from_slice(&self.head);
        match &self.fill {
            Fill::Seed(seed) => {
                let mut random = Random::seeded(*seed);
                while bytes.len() < self.size {
                    bytes.extend_from_slice(&random.bits().to_le_bytes());
                }
            }
            Fill::Octets(octets) => {
                while bytes.len() < self.size && !octets.is_empty() {
                    bytes.extend_from_slice(octets);
                }
            }
        }
        bytes.resize(self.size, 0);
        bytes
    }
}
