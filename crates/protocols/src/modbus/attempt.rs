//! What is recorded of a request that was not carried out. Apart, because absent units, units that only listen and
//! refusals all come here.

use super::{
    files::{self, Direction},
    unit::{access, file_access},
    wire::{Diagnostic, Exception, Request, Span, bits, registers},
};
use honeyplant_core::{
    bytes::Short,
    conversation::Context,
    event::{Access, Change, Kind, Operation, Values, Verdict},
    plant::Tags,
};

/// A request that was not carried out, as it is recorded: one event for each thing that it was after.
pub(super) fn record(request: Result<Request<'_>, Short>, operation: Operation, cx: &mut Context<'_>) {
    let read = |area, span| Kind::Read(operation, access(area, span, Tags::new()), Values::None);
    let write = |area, span, after| {
        Kind::Write(operation, access(area, span, Tags::new()), Change { before: Values::None, after })
    };
    let words = |octets: &[u8]| Values::Words(registers(octets).collect());
    let one = |address| Span { address, quantity: 1 };
    let kind = match request {
        _ if operation.verdict == refused(Exception::IllegalFunction) => Kind::Unsupported(operation),
        Err(_) => Kind::Malformed { why: "the PDU ends before what its function needs" },
        Ok(Request::ReadCoils(span)) => read("coils", span),
        Ok(Request::ReadDiscreteInputs(span)) => read("discrete inputs", span),
        Ok(Request::ReadHoldingRegisters(span)) => read("holding registers", span),
        Ok(Request::ReadInputRegisters(span)) => read("input registers", span),
        Ok(Request::WriteSingleCoil { address, value }) => {
            // A value that is neither on nor off is shown as it came.
            let after = match value {
                0x0000 | 0xFF00 => Values::Bits([value != 0].into_iter().collect()),
                _ => Values::Words([value].into_iter().collect()),
            };
            write("coils", one(address), after)
        }
        Ok(Request::WriteSingleRegister { address, value }) => {
            write("holding registers", one(address), Values::Words([value].into_iter().collect()))
        }
        Ok(Request::WriteMultipleCoils { span, values, .. }) => {
            write("coils", span, Values::Bits(bits(values, span.quantity).collect()))
        }
        Ok(Request::WriteMultipleRegisters { span, values, .. }) => write("holding registers", span, words(values)),
        Ok(Request::MaskWriteRegister { address, and_mask, or_mask }) => {
            write("holding registers", one(address), Values::Words([and_mask, or_mask].into_iter().collect()))
        }
        Ok(Request::ReadWriteMultipleRegisters { read: asked, write: span, values, .. }) => {
            cx.record(write("holding registers", span, words(values)));
            read("holding registers", asked)
        }
        Ok(Request::ReadFileRecord { byte_count, sub_requests }) => {
            let groups = files::groups(Direction::Read, byte_count, sub_requests).unwrap_or_default();
            let first = groups.first().map(file_access);
            Kind::Read(operation, first.unwrap_or_else(no_file), Values::None)
        }
        Ok(Request::WriteFileRecord { byte_count, sub_requests }) => {
            let groups = files::groups(Direction::Write, byte_count, sub_requests).unwrap_or_default();
            let first = groups.first().map(|group| (file_access(group), words(group.data)));
            let (access, after) = first.unwrap_or_else(|| (no_file(), Values::None));
            Kind::Write(operation, access, Change { before: Values::None, after })
        }
        Ok(Request::ReadFifoQueue { pointer }) => read("fifo registers", one(pointer)),
        Ok(Request::ReportServerId | Request::ReadDeviceIdentification { .. }) => Kind::Identify(operation),
        Ok(Request::Diagnostics { sub_function, .. }) => {
            let command = Diagnostic::of(sub_function).and_then(Diagnostic::command);
            command.map_or(Kind::Diagnose(operation), |command| Kind::Command(operation, command))
        }
        Ok(Request::ReadExceptionStatus | Request::GetCommEventCounter | Request::GetCommEventLog) => {
            Kind::Diagnose(operation)
        }
        Ok(Request::EncapsulatedInterface { .. } | Request::Unknown(_)) => Kind::Unsupported(operation),
    };
    cx.record(kind);
}

fn no_file() -> Access {
    Access { area: "file records", address: 0.into(), count: 0, tags: Tags::new() }
}

/// The verdict that a unit refused with.
pub(super) const fn refused(exception: Exception) -> Verdict {
    Verdict::Refused { code: exception as u16, reason: exception.name() }
}
