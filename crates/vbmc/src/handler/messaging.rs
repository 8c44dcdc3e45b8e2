//! The system interface and other buses as seen from LAN (§22.1 to §22.11).

use ipmi::bmc::{Request, serve};
use ipmi::command::app::{
    BtInterfaceCapabilities, BufferedEvent, ClearMessageFlags, EnableMessageChannelReceive,
    GetBmcGlobalEnables, GetBtInterfaceCapabilities, GetMessage, GetMessageFlags,
    GetSystemInterfaceCapabilities, I2cData, MasterWriteRead, MessageChannelReceive,
    ReadEventMessageBuffer, ReceivedMessage, SendMessage, SetBmcGlobalEnables,
    SystemInterfaceCapabilities, WaitingMessages,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    CompletionCode, GlobalEnables, I2cBusType, MessageFlags, ReceiveState, SystemInterfaceType,
};
use ipmi::wire::Writer;

use super::{Device, satellite};

/// Get Message, Read Event Message Buffer: there is nothing.
const QUEUE_EMPTY: CompletionCode = CompletionCode(0x80);
/// Master Write-Read: nobody there acknowledged.
const NAK_ON_WRITE: CompletionCode = CompletionCode(0x83);
/// Where the EEPROM of the machine's own inventory is on the private bus: 7-bit address.
const EEPROM_ADDRESS: u8 = 0x50;

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    match request.cmd {
        SetBmcGlobalEnables::CMD => serve(request, response, |c: SetBmcGlobalEnables| {
            device.machine.controller_mut().enables = Some(c.enables);
            Ok(Empty)
        }),
        GetBmcGlobalEnables::CMD => serve(request, response, |_: GetBmcGlobalEnables| {
            let enables = device.machine.controller().enables;
            Ok(enables.unwrap_or(GlobalEnables::SYSTEM_EVENT_LOGGING))
        }),
        // The host of a virtual machine sends no messages, so that its queue and buffer are always empty.
        ClearMessageFlags::CMD => serve(request, response, |_: ClearMessageFlags| Ok(Empty)),
        GetMessageFlags::CMD => serve(request, response, |_: GetMessageFlags| {
            let flags = MessageFlags::NONE;
            Ok(WaitingMessages { flags })
        }),
        GetMessage::CMD => serve(request, response, |_: GetMessage| {
            Err::<ReceivedMessage, _>(QUEUE_EMPTY)
        }),
        ReadEventMessageBuffer::CMD => serve(request, response, |_: ReadEventMessageBuffer| {
            Err::<BufferedEvent, _>(QUEUE_EMPTY)
        }),
        EnableMessageChannelReceive::CMD => serve(request, response, |c| receive(device, c)),
        SendMessage::CMD => serve(request, response, |c: SendMessage| {
            satellite::send(device.machine, request, &c)
        }),
        MasterWriteRead::CMD => serve(request, response, |c| transfer(device, &c)),
        GetSystemInterfaceCapabilities::CMD => serve(request, response, interface),
        GetBtInterfaceCapabilities::CMD => {
            serve(request, response, |_: GetBtInterfaceCapabilities| {
                Ok(BtInterfaceCapabilities {
                    outstanding_max: 1,
                    input_max: 64,
                    output_max: 64,
                    response_s: 5,
                    retries: 3,
                })
            })
        }
        _ => CompletionCode::INVALID_COMMAND,
    }
}

fn receive(
    device: &mut Device<'_>,
    c: EnableMessageChannelReceive,
) -> Result<MessageChannelReceive, CompletionCode> {
    let bit = 1_u16 << c.channel.0;
    let receives = device.machine.controller().receives;
    let receives = match c.state {
        ReceiveState::DISABLE => receives & !bit,
        ReceiveState::ENABLE => receives | bit,
        ReceiveState::GET => receives,
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    if c.state != ReceiveState::GET {
        device.machine.controller_mut().receives = receives;
    }
    Ok(MessageChannelReceive {
        channel: c.channel,
        enabled: receives & bit != 0,
    })
}

fn interface(
    c: GetSystemInterfaceCapabilities,
) -> Result<SystemInterfaceCapabilities, CompletionCode> {
    if c.interface != SystemInterfaceType::KCS {
        return Err(CompletionCode::INVALID_DATA_FIELD);
    }
    Ok(SystemInterfaceCapabilities {
        transactions: ipmi::number::SsifTransactions(0),
        pec: false,
        version: 0,
        input_max: 0xff,
        output_max: None,
    })
}

/// The one device on the private bus is the EEPROM of the machine's inventory: two bytes written are an offset, high byte
/// first, from which it reads.
fn transfer(device: &Device<'_>, c: &MasterWriteRead) -> Result<I2cData, CompletionCode> {
    if c.bus_type != I2cBusType::PRIVATE || c.bus != 0 || c.address != EEPROM_ADDRESS {
        return Err(NAK_ON_WRITE);
    }
    let image = device.machine.fru(0).ok_or(NAK_ON_WRITE)?;
    let offset = match *c.write.as_slice() {
        [] => 0,
        [high, low] => usize::from(u16::from_be_bytes([high, low])),
        _ => return Err(NAK_ON_WRITE),
    };
    let read = image.iter().skip(offset).take(c.read.into()).copied();
    let data: Vec<u8> = read.collect();
    Ok(I2cData {
        data: Bytes::new(&data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
    })
}
