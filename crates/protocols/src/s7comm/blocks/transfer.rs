//! What is under way between one peer and the CPU, and how its messages are laid out. Apart, because blocks that are taken
//! and blocks that are brought are asked for alike.

use super::{download::Download, name::File, upload::Upload};
use honeyplant_core::bytes::{Reader, Short};
use std::time::Instant;

/// The blocks that are on their way to or from a peer.
#[derive(Debug, Default)]
pub(in crate::s7comm) struct Transfers {
    pub(super) uploads: Vec<Upload>,
    pub(super) download: Option<Download>,
}

impl Transfers {
    /// When a transfer that the peer does not go on with is given up.
    pub(in crate::s7comm) fn due(&self) -> Option<Instant> {
        self.download.as_ref().map(|download| download.until)
    }
}

/// What stands before the octets of a part of a block, behind their length.
const MARK: [u8; 2] = [0x00, 0xFB];
/// Octets of the header of an answer, of its parameter, and of what stands before the part.
const AROUND: usize = 12 + 2 + 4;

/// The parameter of a transfer's job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    /// The name of the file, and what follows it.
    pub(super) name: &'a [u8],
    pub(super) rest: &'a [u8],
}

impl<'a> Ask<'a> {
    /// Reads the parameter of a job that names a file.
    pub(super) fn parse(parameter: &'a [u8]) -> Result<Self, Short> {
        let mut r = Reader::new(parameter);
        Self::head(&mut r)?;
        let length = r.u8()?;
        Ok(Self { name: r.take(length.into())?, rest: r.rest() })
    }

    /// Reads the number of the transfer from the parameter of a job that goes on with one.
    pub(super) fn id(parameter: &[u8]) -> Result<u32, Short> {
        Self::head(&mut Reader::new(parameter))
    }

    fn head(r: &mut Reader<'_>) -> Result<u32, Short> {
        let (_function_and_status, _error): ([u8; 2], [u8; 2]) = (r.array()?, r.array()?);
        r.array().map(u32::from_be_bytes)
    }
}

/// The parameter of a job that the CPU gives about a file.
pub(super) fn calling(function: u8, error: u16, file: File) -> Vec<u8> {
    let [class, code] = error.to_be_bytes();
    let name = format!("_{file}");
    let mut parameter = vec![function, 0, class, code, 0, 0, 0, 0, name.len() as u8];
    parameter.extend_from_slice(name.as_bytes());
    parameter
}

/// How many octets of a block go into one PDU.
pub(super) const fn room(pdu: usize) -> usize {
    let room = pdu.saturating_sub(AROUND);
    if room == 0 { 1 } else { room }
}

/// The data that carry a part of a block.
pub(super) fn put_part(octets: &[u8]) -> Vec<u8> {
    let mut data = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    data.extend_from_slice(&MARK);
    data.extend_from_slice(octets);
    data
}

/// The part of a block that data carry.
pub(super) fn part(data: &[u8]) -> Result<&[u8], Short> {
    let mut r = Reader::new(data);
    let (length, _mark) = (r.be16()?, r.be16()?);
    r.take(length.into())
}
