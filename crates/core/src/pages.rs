//! The pages of a device's web server, as its profile brings them. Apart from files, because only the web server sees them,
//! and all devices of a profile share what is made of them.

use crate::files::Folder;
use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

/// What lies in the folder `www/` of a profile, by its path.
#[derive(Debug, Default)]
pub struct Pages {
    files: Folder,
    made: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl From<Folder> for Pages {
    fn from(files: Folder) -> Self {
        Self { files, made: OnceLock::new() }
    }
}

impl Pages {
    /// The files, by their paths.
    pub const fn files(&self) -> &Folder {
        &self.files
    }

    /// What the web server of another device of the profile made of them, if there was one before.
    pub fn made<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.made.get()?.clone().downcast().ok()
    }

    /// Keeps what was made of them for the other devices of the profile. The first call counts.
    pub fn keep<T: Any + Send + Sync>(&self, made: Arc<T>) {
        let _ = self.made.set(made);
    }
}
