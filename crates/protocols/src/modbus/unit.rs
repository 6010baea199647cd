//! One unit: its memory, and the functions of the protocol upon it. Apart, because carriers and routing end here. The
//! order of checks is that of the diagrams of MODBUS Application Protocol Specification V1.1b3 (AP).

use super::{
    diagnostics::{Answer, Line},
    files::{self, Direction, Files},
    identification::Identification,
    map::{Bit, Cover, Table, Word, Words},
    wire::{Diagnostic, Exception, Request, Span, bits, put_bits, put_registers, registers},
};
use honeyplant_core::{
    bytes::counted_u8,
    conversation::Context,
    event::{Access, Change, Kind, Operation, Values},
    plant::Tags,
};

/// One unit, with all names resolved.
#[derive(Debug)]
pub(super) struct Unit {
    /// The identifier that it goes by in the record of a broadcast.
    pub(super) id: u8,
    /// A bit for each function that it has.
    pub(super) functions: u128,
    /// A bit for each sub-function of function 8 that it has.
    pub(super) diagnostics: u32,
    pub(super) limits: Limits,
    /// What a write to a read-only address is refused with.
    pub(super) read_only: Exception,
    pub(super) server_id: Vec<u8>,
    pub(super) identification: Option<Identification>,
    pub(super) exception_status: Table<Bit>,
    pub(super) coils: Table<Bit>,
    pub(super) discrete_inputs: Table<Bit>,
    pub(super) input_registers: Table<Word>,
    pub(super) holding_registers: Table<Word>,
    pub(super) files: Files,
    /// FIFO queues by their pointer address.
    pub(super) queues: Vec<(u16, Vec<u16>)>,
}

/// The largest quantities of AP §6.1, §6.3, §6.11, §6.12 and §6.17, or what the device has instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) read_bits: u16,
    pub(super) read_registers: u16,
    pub(super) write_bits: u16,
    pub(super) write_registers: u16,
}

/// One request on its way through a unit.
pub(super) struct Exchange<'a, 'b> {
    /// What is recorded of it if all goes well.
    pub(super) operation: Operation,
    /// Where the answering PDU is appended.
    pub(super) out: &'a mut Vec<u8>,
    /// The conversation it belongs to.
    pub(super) cx: &'a mut Context<'b>,
}

/// AP §6.17 leaves less room for what is written than §6.12 does.
const MOST_EXCHANGED: u16 = 0x79;

impl Unit {
    /// Whether the unit has a function.
    pub(super) const fn has(&self, function: u8) -> bool {
        function < 128 && self.functions >> function & 1 == 1
    }

    /// Does what is asked: appends the answer and records it, or does nothing and says why.
    pub(super) fn perform(
        &self,
        request: Request<'_>,
        line: &mut Line,
        messages: u16,
        exchange: &mut Exchange<'_, '_>,
    ) -> Result<(), Exception> {
        match request {
            Request::ReadCoils(span) => self.read_bits("coils", &self.coils, span, exchange),
            Request::ReadDiscreteInputs(span) => {
                self.read_bits("discrete inputs", &self.discrete_inputs, span, exchange)
            }
            Request::ReadHoldingRegisters(span) => {
                self.read_words("holding registers", &self.holding_registers, span, exchange)
            }
            Request::ReadInputRegisters(span) => {
                self.read_words("input registers", &self.input_registers, span, exchange)
            }
            Request::WriteSingleCoil { address, value } => {
                // AP §6.5: "all other values are illegal and will not affect the output".
                let on = match value {
                    0xFF00 => true,
                    0x0000 => false,
                    _ => return Err(Exception::IllegalDataValue),
                };
                let span = Span { address, quantity: 1 };
                self.write_bits(span, &[on.into()], exchange)?;
                exchange.echo(&[address, value]);
                Ok(())
            }
            Request::WriteSingleRegister { address, value } => {
                let cover = self.writable(Span { address, quantity: 1 })?;
                exchange.write_words(address, &cover, &[value]);
                exchange.echo(&[address, value]);
                Ok(())
            }
            Request::WriteMultipleCoils { span, byte_count, values } => {
                let octets = usize::from(span.quantity.div_ceil(8));
                within(span, self.limits.write_bits)?;
                let values = counted(byte_count, octets, values)?;
                self.write_bits(span, values, exchange)?;
                exchange.echo(&[span.address, span.quantity]);
                Ok(())
            }
            Request::WriteMultipleRegisters { span, byte_count, values } => {
                within(span, self.limits.write_registers)?;
                let values = counted(byte_count, 2 * usize::from(span.quantity), values)?;
                let cover = self.writable(span)?;
                exchange.write_words(span.address, &cover, &registers(values).collect::<Words>());
                exchange.echo(&[span.address, span.quantity]);
                Ok(())
            }
            Request::MaskWriteRegister { address, and_mask, or_mask } => {
                let cover = self.writable(Span { address, quantity: 1 })?;
                let current = cover.read(&exchange.cx.device().plant(exchange.cx.now));
                let current = current.first().copied().unwrap_or_default();
                // AP §6.16.
                exchange.write_words(address, &cover, &[(current & and_mask) | (or_mask & !and_mask)]);
                exchange.echo(&[address, and_mask, or_mask]);
                Ok(())
            }
            Request::ReadWriteMultipleRegisters { read, write, byte_count, values } => {
                within(read, self.limits.read_registers)?;
                within(write, self.limits.write_registers.min(MOST_EXCHANGED))?;
                let values = counted(byte_count, 2 * usize::from(write.quantity), values)?;
                self.holding_registers.cover(read)?;
                let cover = self.writable(write)?;
                // AP §6.17: "the write operation is performed before the read".
                exchange.write_words(write.address, &cover, &registers(values).collect::<Words>());
                self.read_words("holding registers", &self.holding_registers, read, exchange)
            }
            Request::ReadFileRecord { byte_count, sub_requests } => self.read_files(byte_count, sub_requests, exchange),
            Request::WriteFileRecord { byte_count, sub_requests } => {
                self.write_files(byte_count, sub_requests, exchange)
            }
            Request::ReadFifoQueue { pointer } => self.read_queue(pointer, exchange),
            Request::Diagnostics { sub_function, data } => {
                let sub = Diagnostic::of(sub_function).filter(|sub| self.diagnostics >> *sub as u32 & 1 == 1);
                let sub = sub.ok_or(Exception::IllegalFunction)?;
                let answer = line.diagnose(sub, data, messages)?;
                if let Some(answer) = answer {
                    exchange.echo(&[sub_function]);
                    match answer {
                        Answer::Echo(data) => exchange.out.extend_from_slice(data),
                        Answer::Count(count) => exchange.out.extend(count.to_be_bytes()),
                    }
                }
                let kind = sub
                    .command()
                    .map_or(Kind::Diagnose(exchange.operation), |command| Kind::Command(exchange.operation, command));
                exchange.cx.record(kind);
                Ok(())
            }
            Request::ReadExceptionStatus => {
                let plant = exchange.cx.device().plant(exchange.cx.now);
                let status = self.exception_status.cover(Span { address: 0, quantity: 8 }).map(|c| c.read(&plant));
                drop(plant);
                // A unit without such bits has them all off.
                let status = status.unwrap_or_default().iter().rev().fold(0, |octet, bit| octet << 1 | u8::from(*bit));
                exchange.out.extend_from_slice(&[7, status]);
                exchange.cx.record(Kind::Diagnose(exchange.operation));
                Ok(())
            }
            Request::GetCommEventCounter => {
                exchange.echo(&line.counter());
                exchange.cx.record(Kind::Diagnose(exchange.operation));
                Ok(())
            }
            Request::GetCommEventLog => {
                let (counts, events) = line.log(messages);
                exchange.out.push(12);
                counted_u8(exchange.out, |out| {
                    counts.iter().for_each(|count| out.extend(count.to_be_bytes()));
                    out.extend(events);
                });
                exchange.cx.record(Kind::Diagnose(exchange.operation));
                Ok(())
            }
            Request::ReportServerId => {
                exchange.out.push(17);
                counted_u8(exchange.out, |out| out.extend_from_slice(&self.server_id));
                exchange.cx.record(Kind::Identify(exchange.operation));
                Ok(())
            }
            Request::ReadDeviceIdentification { code, object } => {
                let identification = self.identification.as_ref().ok_or(Exception::IllegalFunction)?;
                identification.put(code, object, exchange.out)?;
                exchange.cx.record(Kind::Identify(exchange.operation));
                Ok(())
            }
            Request::EncapsulatedInterface { .. } | Request::Unknown(_) => Err(Exception::IllegalFunction),
        }
    }

    fn read_bits(
        &self,
        area: &'static str,
        table: &Table<Bit>,
        span: Span,
        exchange: &mut Exchange<'_, '_>,
    ) -> Result<(), Exception> {
        within(span, self.limits.read_bits)?;
        let cover = table.cover(span)?;
        let plant = exchange.cx.device().plant(exchange.cx.now);
        let (bits, tags) = (cover.read(&plant), cover.tags(&plant));
        drop(plant);
        exchange.out.push(exchange.function());
        put_bits(exchange.out, &bits);
        exchange.cx.record(Kind::Read(exchange.operation, access(area, span, tags), Values::Bits(bits)));
        Ok(())
    }

    fn read_words(
        &self,
        area: &'static str,
        table: &Table<Word>,
        span: Span,
        exchange: &mut Exchange<'_, '_>,
    ) -> Result<(), Exception> {
        within(span, self.limits.read_registers)?;
        let cover = table.cover(span)?;
        let plant = exchange.cx.device().plant(exchange.cx.now);
        let (words, tags) = (cover.read(&plant), cover.tags(&plant));
        drop(plant);
        exchange.out.push(exchange.function());
        put_registers(exchange.out, &words);
        exchange.cx.record(Kind::Read(exchange.operation, access(area, span, tags), Values::Words(words)));
        Ok(())
    }

    fn write_bits(&self, span: Span, values: &[u8], exchange: &mut Exchange<'_, '_>) -> Result<(), Exception> {
        let cover = self.coils.cover(span)?;
        if !cover.is_writable() {
            return Err(self.read_only);
        }
        let mut plant = exchange.cx.device().plant(exchange.cx.now);
        let (before, tags) = (cover.read(&plant), cover.tags(&plant));
        cover.write(&mut plant, bits(values, span.quantity));
        drop(plant);
        let change =
            Change { before: Values::Bits(before), after: Values::Bits(bits(values, span.quantity).collect()) };
        exchange.cx.record(Kind::Write(exchange.operation, access("coils", span, tags), change));
        Ok(())
    }

    fn writable(&self, span: Span) -> Result<Cover<'_, Word>, Exception> {
        let cover = self.holding_registers.cover(span)?;
        if cover.is_writable() { Ok(cover) } else { Err(self.read_only) }
    }

    fn read_files(&self, byte_count: u8, octets: &[u8], exchange: &mut Exchange<'_, '_>) -> Result<(), Exception> {
        let groups = files::groups(Direction::Read, byte_count, octets)?;
        let places = groups.iter().map(|group| self.files.find(group)).collect::<Result<Vec<_>, _>>()?;
        // AP §6.14 bounds the answer: 0xF5 octets behind the response data length.
        let answer: usize = groups.iter().map(|group| 2 + 2 * usize::from(group.length)).sum();
        if answer > 0xF5 {
            return Err(Exception::IllegalDataValue);
        }
        let plant = exchange.cx.device().plant(exchange.cx.now);
        let records: Vec<Words> =
            groups.iter().zip(places).map(|(group, place)| files::read(&plant, place, group)).collect();
        drop(plant);
        exchange.out.push(20);
        counted_u8(exchange.out, |out| records.iter().for_each(|records| files::put(out, records)));
        for (group, records) in groups.iter().zip(records) {
            let access = file_access(group);
            exchange.cx.record(Kind::Read(exchange.operation, access, Values::Words(records)));
        }
        Ok(())
    }

    fn write_files(&self, byte_count: u8, octets: &[u8], exchange: &mut Exchange<'_, '_>) -> Result<(), Exception> {
        let groups = files::groups(Direction::Write, byte_count, octets)?;
        let places = groups.iter().map(|group| self.files.find(group)).collect::<Result<Vec<_>, _>>()?;
        for (group, place) in groups.iter().zip(places) {
            let mut plant = exchange.cx.device().plant(exchange.cx.now);
            let before = files::read(&plant, place, group);
            files::write(&mut plant, place, group);
            drop(plant);
            let after = Values::Words(registers(group.data).collect());
            let change = Change { before: Values::Words(before), after };
            exchange.cx.record(Kind::Write(exchange.operation, file_access(group), change));
        }
        // AP §6.15: "The normal response is an echo of the request".
        exchange.out.extend_from_slice(&[21, byte_count]);
        exchange.out.extend_from_slice(octets.get(..byte_count.into()).unwrap_or_default());
        Ok(())
    }

    fn read_queue(&self, pointer: u16, exchange: &mut Exchange<'_, '_>) -> Result<(), Exception> {
        let queue = self.queues.iter().find(|(address, _)| *address == pointer);
        let (_, values) = queue.ok_or(Exception::IllegalDataAddress)?;
        // AP §6.18: "if the queue count exceeds 31".
        let count = u16::try_from(values.len()).ok().filter(|count| *count <= 31);
        let count = count.ok_or(Exception::IllegalDataValue)?;
        exchange.echo(&[2 + 2 * count, count]);
        values.iter().for_each(|value| exchange.out.extend(value.to_be_bytes()));
        let span = Span { address: pointer, quantity: count };
        let values = Values::Words(values.iter().copied().collect());
        exchange.cx.record(Kind::Read(exchange.operation, access("fifo registers", span, Tags::new()), values));
        Ok(())
    }
}

impl Exchange<'_, '_> {
    const fn function(&self) -> u8 {
        self.operation.code as u8
    }

    /// Appends the function code and words.
    fn echo(&mut self, words: &[u16]) {
        self.out.push(self.function());
        words.iter().for_each(|word| self.out.extend(word.to_be_bytes()));
    }

    fn write_words(&mut self, address: u16, cover: &Cover<'_, Word>, words: &[u16]) {
        let mut plant = self.cx.device().plant(self.cx.now);
        let (before, tags) = (cover.read(&plant), cover.tags(&plant));
        cover.write(&mut plant, words.iter().copied());
        drop(plant);
        let span = Span { address, quantity: words.len() as u16 };
        let change = Change { before: Values::Words(before), after: Values::Words(words.iter().copied().collect()) };
        self.cx.record(Kind::Write(self.operation, access("holding registers", span, tags), change));
    }
}

/// The access of a span.
pub(super) fn access(area: &'static str, span: Span, tags: Tags) -> Access {
    Access { area, address: u32::from(span.address).into(), count: span.quantity.into(), tags }
}

/// The access of a group of file records.
pub(super) fn file_access(group: &files::Group<'_>) -> Access {
    Access { area: "file records", address: group.reference().into(), count: group.length.into(), tags: Tags::new() }
}

fn within(span: Span, most: u16) -> Result<(), Exception> {
    if (1..=most).contains(&span.quantity) { Ok(()) } else { Err(Exception::IllegalDataValue) }
}

/// The octets that a request brings, if it counts them right and they are there.
fn counted(byte_count: u8, needed: usize, octets: &[u8]) -> Result<&[u8], Exception> {
    let octets = octets.get(..needed).filter(|_| usize::from(byte_count) == needed);
    octets.ok_or(Exception::IllegalDataValue)
}
