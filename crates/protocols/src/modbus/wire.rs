//! Requests and exceptions. MODBUS Application Protocol Specification V1.1b3 (AP); the sections are cited at each
//! function. Apart, because nothing here knows a device.

use honeyplant_core::{
    bytes::{Reader, Short},
    event::Command,
};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// AP §6.1
    ReadCoils(Span),
    /// AP §6.2
    ReadDiscreteInputs(Span),
    /// AP §6.3
    ReadHoldingRegisters(Span),
    /// AP §6.4
    ReadInputRegisters(Span),
    /// AP §6.5
    WriteSingleCoil { address: u16, value: u16 },
    /// AP §6.6
    WriteSingleRegister { address: u16, value: u16 },
    /// AP §6.7
    ReadExceptionStatus,
    /// AP §6.8
    Diagnostics { sub_function: u16, data: &'a [u8] },
    /// AP §6.9
    GetCommEventCounter,
    /// AP §6.10
    GetCommEventLog,
    /// AP §6.11
    WriteMultipleCoils { span: Span, byte_count: u8, values: &'a [u8] },
    /// AP §6.12
    WriteMultipleRegisters { span: Span, byte_count: u8, values: &'a [u8] },
    /// AP §6.13
    ReportServerId,
    /// AP §6.14
    ReadFileRecord { byte_count: u8, sub_requests: &'a [u8] },
    /// AP §6.15
    WriteFileRecord { byte_count: u8, sub_requests: &'a [u8] },
    /// AP §6.16
    MaskWriteRegister { address: u16, and_mask: u16, or_mask: u16 },
    /// AP §6.17
    ReadWriteMultipleRegisters { read: Span, write: Span, byte_count: u8, values: &'a [u8] },
    /// AP §6.18
    ReadFifoQueue { pointer: u16 },
    /// AP §6.21
    ReadDeviceIdentification { code: u8, object: u8 },
    /// AP §6.19, of a type other than 14
    EncapsulatedInterface { mei_type: u8 },
    /// A function that the standard does not define for everyone.
    Unknown(u8),
}

/// A starting address, and how many from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) address: u16,
    pub(super) quantity: u16,
}

impl Span {
    fn parse(r: &mut Reader<'_>) -> Result<Self, Short> {
        Ok(Self { address: r.be16()?, quantity: r.be16()? })
    }
}

impl<'a> Request<'a> {
    /// Reads a PDU. Octets behind what the function needs are left alone: no diagram of AP §6 looks at them.
    pub(super) fn parse(pdu: &'a [u8]) -> Result<Self, Short> {
        let mut r = Reader::new(pdu);
        Ok(match r.u8()? {
            1 => Self::ReadCoils(Span::parse(&mut r)?),
            2 => Self::ReadDiscreteInputs(Span::parse(&mut r)?),
            3 => Self::ReadHoldingRegisters(Span::parse(&mut r)?),
            4 => Self::ReadInputRegisters(Span::parse(&mut r)?),
            5 => Self::WriteSingleCoil { address: r.be16()?, value: r.be16()? },
            6 => Self::WriteSingleRegister { address: r.be16()?, value: r.be16()? },
            7 => Self::ReadExceptionStatus,
            8 => Self::Diagnostics { sub_function: r.be16()?, data: r.rest() },
            11 => Self::GetCommEventCounter,
            12 => Self::GetCommEventLog,
            15 => Self::WriteMultipleCoils { span: Span::parse(&mut r)?, byte_count: r.u8()?, values: r.rest() },
            16 => Self::WriteMultipleRegisters { span: Span::parse(&mut r)?, byte_count: r.u8()?, values: r.rest() },
            17 => Self::ReportServerId,
            20 => Self::ReadFileRecord { byte_count: r.u8()?, sub_requests: r.rest() },
            21 => Self::WriteFileRecord { byte_count: r.u8()?, sub_requests: r.rest() },
            22 => Self::MaskWriteRegister { address: r.be16()?, and_mask: r.be16()?, or_mask: r.be16()? },
            23 => Self::ReadWriteMultipleRegisters {
                read: Span::parse(&mut r)?,
                write: Span::parse(&mut r)?,
                byte_count: r.u8()?,
                values: r.rest(),
            },
            24 => Self::ReadFifoQueue { pointer: r.be16()? },
            43 => match r.u8()? {
                14 => Self::ReadDeviceIdentification { code: r.u8()?, object: r.u8()? },
                mei_type => Self::EncapsulatedInterface { mei_type },
            },
            function => Self::Unknown(function),
        })
    }

    /// The name of what is asked for: that of the function, or of the sub-function where there are some.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Diagnostics { sub_function, .. } => Diagnostic::of(*sub_function).map_or(name(8), Diagnostic::name),
            Self::ReadDeviceIdentification { .. } => "read device identification",
            _ => name(self.function()),
        }
    }

    /// The function code.
    pub(super) const fn function(&self) -> u8 {
        match self {
            Self::ReadCoils(_) => 1,
            Self::ReadDiscreteInputs(_) => 2,
            Self::ReadHoldingRegisters(_) => 3,
            Self::ReadInputRegisters(_) => 4,
            Self::WriteSingleCoil { .. } => 5,
            Self::WriteSingleRegister { .. } => 6,
            Self::ReadExceptionStatus => 7,
            Self::Diagnostics { .. } => 8,
            Self::GetCommEventCounter => 11,
            Self::GetCommEventLog => 12,
            Self::WriteMultipleCoils { .. } => 15,
            Self::WriteMultipleRegisters { .. } => 16,
            Self::ReportServerId => 17,
            Self::ReadFileRecord { .. } => 20,
            Self::WriteFileRecord { .. } => 21,
            Self::MaskWriteRegister { .. } => 22,
            Self::ReadWriteMultipleRegisters { .. } => 23,
            Self::ReadFifoQueue { .. } => 24,
            Self::ReadDeviceIdentification { .. } | Self::EncapsulatedInterface { .. } => 43,
            Self::Unknown(function) => *function,
        }
    }

    /// Whether all units of a line may be told at once: "the broadcast requests are necessarily writing commands"
    /// (MODBUS over Serial Line V1.02 §2.1).
    pub(super) const fn is_for_all(&self) -> bool {
        matches!(self.function(), 5 | 6 | 15 | 16 | 21 | 22)
    }
}

/// The functions that honeyplant can perform.
pub(super) const FUNCTIONS: [u8; 19] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43];

/// The name of a function in AP §5.1.
pub(super) const fn name(function: u8) -> &'static str {
    match function {
        1 => "read coils",
        2 => "read discrete inputs",
        3 => "read holding registers",
        4 => "read input registers",
        5 => "write single coil",
        6 => "write single register",
        7 => "read exception status",
        8 => "diagnostics",
        11 => "get comm event counter",
        12 => "get comm event log",
        15 => "write multiple coils",
        16 => "write multiple registers",
        17 => "report server id",
        20 => "read file record",
        21 => "write file record",
        22 => "mask write register",
        23 => "read/write multiple registers",
        24 => "read fifo queue",
        43 => "encapsulated interface transport",
        // AP Annex A reserves it; Schneider's engineering tools speak UMAS in it.
        90 => "UMAS",
        _ => "unknown function",
    }
}

/// The sub-functions of AP §6.8.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Diagnostic {
    ReturnQueryData = 0,
    RestartCommunications = 1,
    ReturnDiagnosticRegister = 2,
    ChangeAsciiInputDelimiter = 3,
    ForceListenOnlyMode = 4,
    ClearCounters = 10,
    ReturnBusMessageCount = 11,
    ReturnBusCommunicationErrorCount = 12,
    ReturnBusExceptionErrorCount = 13,
    ReturnServerMessageCount = 14,
    ReturnServerNoResponseCount = 15,
    ReturnServerNakCount = 16,
    ReturnServerBusyCount = 17,
    ReturnBusCharacterOverrunCount = 18,
    ClearOverrunCounter = 20,
}

impl Diagnostic {
    pub(super) const ALL: [Self; 15] = [
        Self::ReturnQueryData,
        Self::RestartCommunications,
        Self::ReturnDiagnosticRegister,
        Self::ChangeAsciiInputDelimiter,
        Self::ForceListenOnlyMode,
        Self::ClearCounters,
        Self::ReturnBusMessageCount,
        Self::ReturnBusCommunicationErrorCount,
        Self::ReturnBusExceptionErrorCount,
        Self::ReturnServerMessageCount,
        Self::ReturnServerNoResponseCount,
        Self::ReturnServerNakCount,
        Self::ReturnServerBusyCount,
        Self::ReturnBusCharacterOverrunCount,
        Self::ClearOverrunCounter,
    ];

    pub(super) fn of(sub_function: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|sub| *sub as u16 == sub_function)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ReturnQueryData => "return query data",
            Self::RestartCommunications => "restart communications option",
            Self::ReturnDiagnosticRegister => "return diagnostic register",
            Self::ChangeAsciiInputDelimiter => "change ascii input delimiter",
            Self::ForceListenOnlyMode => "force listen only mode",
            Self::ClearCounters => "clear counters and diagnostic register",
            Self::ReturnBusMessageCount => "return bus message count",
            Self::ReturnBusCommunicationErrorCount => "return bus communication error count",
            Self::ReturnBusExceptionErrorCount => "return bus exception error count",
            Self::ReturnServerMessageCount => "return server message count",
            Self::ReturnServerNoResponseCount => "return server no response count",
            Self::ReturnServerNakCount => "return server nak count",
            Self::ReturnServerBusyCount => "return server busy count",
            Self::ReturnBusCharacterOverrunCount => "return bus character overrun count",
            Self::ClearOverrunCounter => "clear overrun counter and flag",
        }
    }

    /// What it changes, if it does.
    pub(super) const fn command(self) -> Option<Command> {
        match self {
            Self::RestartCommunications => Some(Command::Restart),
            Self::ChangeAsciiInputDelimiter => Some(Command::Configure),
            Self::ForceListenOnlyMode => Some(Command::Silence),
            Self::ClearCounters | Self::ClearOverrunCounter => Some(Command::Clear),
            _ => None,
        }
    }
}

/// AP §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    IllegalFunction = 1,
    IllegalDataAddress = 2,
    IllegalDataValue = 3,
    ServerDeviceFailure = 4,
    GatewayPathUnavailable = 0x0A,
    GatewayTargetDeviceFailedToRespond = 0x0B,
}

impl Exception {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::IllegalFunction => "illegal function",
            Self::IllegalDataAddress => "illegal data address",
            Self::IllegalDataValue => "illegal data value",
            Self::ServerDeviceFailure => "server device failure",
            Self::GatewayPathUnavailable => "gateway path unavailable",
            Self::GatewayTargetDeviceFailedToRespond => "gateway target device failed to respond",
        }
    }

    /// Appends the exception to `function` (AP §4.1: the code's highest bit is set).
    pub(super) fn put(self, function: u8, out: &mut Vec<u8>) {
        out.extend_from_slice(&[function | 0x80, self as u8]);
    }
}

/// The registers in `octets`, each most significant octet first (AP §4.2).
pub(super) fn registers(octets: &[u8]) -> impl Iterator<Item = u16> {
    octets.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair))
}

/// The first `quantity` bits in `octets`, each octet least significant bit first (AP §6.1).
pub(super) fn bits(octets: &[u8], quantity: u16) -> impl Iterator<Item = bool> {
    let bits = octets.iter().flat_map(|octet| (0..8).map(move |bit| octet >> bit & 1 == 1));
    bits.take(quantity.into())
}

/// Appends registers, behind the count of their octets.
pub(super) fn put_registers(out: &mut Vec<u8>, registers: &[u16]) {
    honeyplant_core::bytes::counted_u8(out, |out| registers.iter().for_each(|word| out.extend(word.to_be_bytes())));
}

/// Appends bits, behind the count of their octets; the last octet is filled up with 0.
pub(super) fn put_bits(out: &mut Vec<u8>, bits: &[bool]) {
    honeyplant_core::bytes::counted_u8(out, |out| {
        out.extend(bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |octet, bit| octet << 1 | u8::from(*bit))));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of AP §6, and a request for each function without one.
    const EXAMPLES: [(&[u8], Request<'_>); 19] = [
        (&[1, 0, 0x13, 0, 0x13], Request::ReadCoils(Span { address: 0x13, quantity: 0x13 })),
        (&[2, 0, 0xC4, 0, 0x16], Request::ReadDiscreteInputs(Span { address: 0xC4, quantity: 0x16 })),
        (&[3, 0, 0x6B, 0, 3], Request::ReadHoldingRegisters(Span { address: 0x6B, quantity: 3 })),
        (&[4, 0, 8, 0, 1], Request::ReadInputRegisters(Span { address: 8, quantity: 1 })),
        (&[5, 0, 0xAC, 0xFF, 0], Request::WriteSingleCoil { address: 0xAC, value: 0xFF00 }),
        (&[6, 0, 1, 0, 3], Request::WriteSingleRegister { address: 1, value: 3 }),
        (&[7], Request::ReadExceptionStatus),
        (&[8, 0, 0, 0xA5, 0x37], Request::Diagnostics { sub_function: 0, data: &[0xA5, 0x37] }),
        (&[11], Request::GetCommEventCounter),
        (&[12], Request::GetCommEventLog),
        (
            &[15, 0, 0x13, 0, 10, 2, 0xCD, 1],
            Request::WriteMultipleCoils {
                span: Span { address: 0x13, quantity: 10 },
                byte_count: 2,
                values: &[0xCD, 1],
            },
        ),
        (
            &[16, 0, 1, 0, 1, 2, 0, 10],
            Request::WriteMultipleRegisters { span: Span { address: 1, quantity: 1 }, byte_count: 2, values: &[0, 10] },
        ),
        (&[17], Request::ReportServerId),
        (
            &[20, 7, 6, 0, 4, 0, 1, 0, 2],
            Request::ReadFileRecord { byte_count: 7, sub_requests: &[6, 0, 4, 0, 1, 0, 2] },
        ),
        (&[22, 0, 4, 0, 0xF2, 0, 0x25], Request::MaskWriteRegister { address: 4, and_mask: 0xF2, or_mask: 0x25 }),
        (
            &[23, 0, 3, 0, 6, 0, 14, 0, 1, 2, 0, 0xFF],
            Request::ReadWriteMultipleRegisters {
                read: Span { address: 3, quantity: 6 },
                write: Span { address: 14, quantity: 1 },
                byte_count: 2,
                values: &[0, 0xFF],
            },
        ),
        (&[24, 4, 0xDE], Request::ReadFifoQueue { pointer: 0x4DE }),
        (&[43, 14, 1, 0], Request::ReadDeviceIdentification { code: 1, object: 0 }),
        (&[90, 0, 2], Request::Unknown(90)),
    ];

    #[test]
    fn reads() {
        for (pdu, request) in EXAMPLES {
            assert_eq!(Request::parse(pdu), Ok(request));
            assert_eq!(request.function(), pdu[0]);
        }
        assert_eq!(Request::parse(&[43, 13, 0]), Ok(Request::EncapsulatedInterface { mei_type: 13 }));
        assert_eq!(registers(&[1, 2, 3, 4]).collect::<Vec<_>>(), [0x0102, 0x0304]);
        assert_eq!(bits(&[0b101], 4).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn writes() {
        let mut out = Vec::new();
        put_registers(&mut out, &[0x022B, 0]);
        put_bits(&mut out, &[true, false, true, true, false, false, true, true, true, true]);
        Exception::IllegalDataAddress.put(1, &mut out);
        assert_eq!(out, [4, 2, 0x2B, 0, 0, 2, 0xCD, 3, 0x81, 2]);
    }

    #[test]
    fn is_short() {
        assert_eq!(Request::parse(&[]), Err(Short));
        for (pdu, _) in EXAMPLES.iter().filter(|(pdu, _)| matches!(pdu[0], 1..=6 | 22..=24 | 43)) {
            let needed = if pdu[0] == 23 { 10 } else { pdu.len() };
            assert_eq!(Request::parse(&pdu[..needed - 1]), Err(Short), "{pdu:?}");
        }
    }

    #[test]
    fn is_refused() {
        assert_eq!(Request::parse(&[0x83, 2]), Ok(Request::Unknown(0x83)));
        assert_eq!(Diagnostic::of(21), None);
        assert!(Diagnostic::ALL.iter().all(|sub| Diagnostic::of(*sub as u16) == Some(*sub)));
        assert!(FUNCTIONS.iter().all(|function| name(*function) != name(0)));
    }
}
