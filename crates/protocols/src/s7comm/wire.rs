//! The bytes of S7comm PDUs. There is no public standard: the names and layouts are those of Wireshark's S7comm dissector
//! and of published analyses, held against captures of real clients and CPUs.

use honeyplant_core::{
    bytes::{Reader, Short},
    event::{Operation, Verdict},
};

/// The protocol identifier of S7comm, and that of S7comm-plus.
pub(super) const S7COMM: u8 = 0x32;
pub(super) const S7COMM_PLUS: u8 = 0x72;

/// Octets of the header of a job and of user data; that of an answer to a job has two more for the error.
pub(super) const HEADER: usize = 10;
pub(super) const ANSWER_HEADER: usize = 12;

/// What kind of PDU it is (ROSCTR, remote operating service control).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rosctr {
    /// A function is to be done.
    Job,
    /// It was done, or refused, and there is nothing more to say.
    Ack,
    /// It was done, and this came of it.
    AckData,
    /// A function of the second kind, or its answer.
    UserData,
}

/// The functions of a job.
pub(super) mod function {
    pub(in crate::s7comm) const CPU_SERVICES: u8 = 0x00;
    pub(in crate::s7comm) const READ: u8 = 0x04;
    pub(in crate::s7comm) const WRITE: u8 = 0x05;
    pub(in crate::s7comm) const REQUEST_DOWNLOAD: u8 = 0x1A;
    pub(in crate::s7comm) const DOWNLOAD_BLOCK: u8 = 0x1B;
    pub(in crate::s7comm) const DOWNLOAD_ENDED: u8 = 0x1C;
    pub(in crate::s7comm) const START_UPLOAD: u8 = 0x1D;
    pub(in crate::s7comm) const UPLOAD: u8 = 0x1E;
    pub(in crate::s7comm) const END_UPLOAD: u8 = 0x1F;
    pub(in crate::s7comm) const PI_SERVICE: u8 = 0x28;
    pub(in crate::s7comm) const PLC_STOP: u8 = 0x29;
    pub(in crate::s7comm) const SETUP: u8 = 0xF0;
}

/// The groups of user-data functions: the low four bits; the high ones are 4 in a request and 8 in an answer, 0 in what
/// is sent without being asked for.
pub(super) mod group {
    pub(in crate::s7comm) const MODE: u8 = 0;
    pub(in crate::s7comm) const PROGRAMMER: u8 = 1;
    pub(in crate::s7comm) const CYCLIC: u8 = 2;
    pub(in crate::s7comm) const BLOCK: u8 = 3;
    pub(in crate::s7comm) const CPU: u8 = 4;
    pub(in crate::s7comm) const SECURITY: u8 = 5;
    pub(in crate::s7comm) const BSEND: u8 = 6;
    pub(in crate::s7comm) const TIME: u8 = 7;
}

/// Error codes: class and code of an answer to a job, or the error code in the parameter of user data.
pub(super) mod error {
    /// The function is not known, or not for this CPU.
    pub(in crate::s7comm) const NOT_AVAILABLE: u16 = 0x8104;
    /// A PDU of the wrong length, or longer than agreed on.
    pub(in crate::s7comm) const PDU_SIZE: u16 = 0x8500;
    /// A system status list, or a function of a group, that is not there.
    pub(in crate::s7comm) const NO_INFORMATION: u16 = 0xD401;
    /// A list has no such index.
    pub(in crate::s7comm) const NO_INDEX: u16 = 0xD402;
    /// What is asked with is no request of this function.
    pub(in crate::s7comm) const SYNTAX: u16 = 0xD405;
    /// The level of protection does not allow it.
    pub(in crate::s7comm) const PROTECTED: u16 = 0xD241;
}

/// Return codes of data.
pub(super) mod returned {
    pub(in crate::s7comm) const DONE: u8 = 0xFF;
    pub(in crate::s7comm) const NO_OBJECT: u8 = 0x0A;
}

/// How the length in a data header counts.
pub(super) mod transport {
    pub(in crate::s7comm) const NULL: u8 = 0x00;
    pub(in crate::s7comm) const OCTETS: u8 = 0x09;
}

/// One PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pdu<'a> {
    pub(super) rosctr: Rosctr,
    pub(super) reference: u16,
    /// Class and code, of an answer; else 0.
    pub(super) error: u16,
    pub(super) parameter: &'a [u8],
    pub(super) data: &'a [u8],
}

impl<'a> Pdu<'a> {
    /// Reads a whole PDU that begins with [`S7COMM`]. The error says what is wrong with it.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        Self::read(octets).unwrap_or(Err("the PDU ends before its header does"))
    }

    fn read(octets: &'a [u8]) -> Result<Result<Self, &'static str>, Short> {
        let mut r = Reader::new(octets);
        let (_protocol, rosctr) = (r.u8()?, r.u8()?);
        let rosctr = match rosctr {
            1 => Rosctr::Job,
            2 => Rosctr::Ack,
            3 => Rosctr::AckData,
            7 => Rosctr::UserData,
            _ => return Ok(Err("there is no such kind of PDU (ROSCTR)")),
        };
        let (_redundancy, reference) = (r.be16()?, r.be16()?);
        let (parameters, data) = (r.be16()?, r.be16()?);
        let error = if matches!(rosctr, Rosctr::Ack | Rosctr::AckData) { r.be16()? } else { 0 };
        let (Ok(parameter), Ok(data)) = (r.take(parameters.into()), r.take(data.into())) else {
            return Ok(Err("the parameter or the data end behind the PDU"));
        };
        Ok(Ok(Self { rosctr, reference, error, parameter, data }))
    }

    /// Appends it.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let rosctr = match self.rosctr {
            Rosctr::Job => 1,
            Rosctr::Ack => 2,
            Rosctr::AckData => 3,
            Rosctr::UserData => 7,
        };
        out.extend_from_slice(&[S7COMM, rosctr, 0, 0]);
        out.extend_from_slice(&self.reference.to_be_bytes());
        for part in [self.parameter, self.data] {
            out.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
        if matches!(self.rosctr, Rosctr::Ack | Rosctr::AckData) {
            out.extend_from_slice(&self.error.to_be_bytes());
        }
        out.extend_from_slice(self.parameter);
        out.extend_from_slice(self.data);
    }
}

/// The parameter of user data. A request has eight octets; an answer, or a request for the rest of one, has twelve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserParameter {
    /// 0x11 for a request, 0x12 for an answer or a request for its rest.
    pub(super) method: u8,
    /// 4 for a request, 8 for an answer, 0 for what nobody asked for.
    pub(super) kind: u8,
    pub(super) group: u8,
    pub(super) subfunction: u8,
    pub(super) sequence: u8,
    /// Which answer in parts it belongs to; 0 if it is in one.
    pub(super) unit: u8,
    /// Whether another part follows.
    pub(super) more: bool,
    pub(super) error: u16,
}

impl UserParameter {
    /// Reads the parameter.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, Short> {
        let mut r = Reader::new(octets);
        let (_head, _length): ([u8; 3], u8) = (r.array()?, r.u8()?);
        let (method, kind, subfunction, sequence) = (r.u8()?, r.u8()?, r.u8()?, r.u8()?);
        let (unit, more, error) = if method == 0x12 { (r.u8()?, r.u8()? != 0, r.be16()?) } else { (0, false, 0) };
        Ok(Self { method, kind: kind >> 4, group: kind & 0xF, subfunction, sequence, unit, more, error })
    }

    /// The twelve octets of an answer.
    pub(super) const fn octets(&self) -> [u8; 12] {
        let [class, code] = self.error.to_be_bytes();
        let kind = self.kind << 4 | self.group & 0xF;
        [0, 1, 0x12, 8, self.method, kind, self.subfunction, self.sequence, self.unit, self.more as u8, class, code]
    }
}

/// What stands before data: the return code, how the length counts, and the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data<'a> {
    pub(super) returned: u8,
    pub(super) transport: u8,
    pub(super) octets: &'a [u8],
}

impl<'a> Data<'a> {
    /// Reads the data of user data, whose length counts octets whatever the transport size says.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, Short> {
        let mut r = Reader::new(octets);
        let (returned, transport, length) = (r.u8()?, r.u8()?, r.be16()?);
        Ok(Self { returned, transport, octets: r.take(length.into())? })
    }

    /// Appends it.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.returned, self.transport]);
        out.extend_from_slice(&u16::try_from(self.octets.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(self.octets);
    }
}

/// What was asked, for the record.
pub(super) const fn operation(name: &'static str, code: u16, verdict: Verdict) -> Operation {
    Operation { name, code, unit: None, verdict }
}

/// A refusal with the error `code`, for the record.
pub(super) const fn refused(code: u16) -> Verdict {
    let reason = match code {
        error::NOT_AVAILABLE => "the function is not available",
        error::PDU_SIZE => "the size of the PDU is wrong",
        error::NO_INFORMATION => "the information is not available",
        error::PROTECTED => "the level of protection does not allow it",
        error::NO_INDEX => "there is no such index",
        error::SYNTAX => "the service is not supported, or wrongly asked for",
        0xD003 => "the debugging function is not supported",
        0xD007 => "the number of elements is not allowed",
        0xD081 => "the function is not permitted in this mode",
        0xD0A5 => "the referenced job was not found",
        0xD404 => "there are no more logons for messages",
        0xD802 => "the job does not exist",
        0xD804 => "the cycle time is not allowed",
        0xD805 => "there are no more cyclic jobs",
        0xDC01 => "the date or the time is invalid",
        _ => "an error",
    };
    Verdict::Refused { code, reason }
}
