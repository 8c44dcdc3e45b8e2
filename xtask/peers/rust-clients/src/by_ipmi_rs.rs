//! The crate `ipmi-rs`: it blocks, so a thread a BMC.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use ipmi_rs::connection::{
    IpmiConnection as _, LogicalUnit, Message, Request, RequestTargetAddress,
};
use ipmi_rs::rmcp::Rmcp;

use crate::{
    Done, FIRST, Failure, GET_SDR, GET_SENSOR_READING, LAST, Task, Watch, at, has_value, head_of,
    sensor_in,
};

/// How long it waits for an answer. It asks once.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread has a loop with a datagram in it.
const STACK: usize = 256 << 10;

/// A session and what it reads.
struct Bmc {
    address: SocketAddr,
    session: Rmcp,
    sensors: Vec<u8>,
}

impl Bmc {
    fn open(address: SocketAddr, task: &Task) -> Result<Self, Failure> {
        let mut session = Rmcp::new(address, PATIENCE)?;
        session
            .activate(true, Some(&task.user), Some(task.password.as_bytes()))
            .map_err(|e| at(address, "log-in", format_args!("{e:?}")))?;
        let mut bmc = Self {
            address,
            session,
            sensors: Vec::new(),
        };
        let mut record = FIRST;
        while record != LAST {
            let head = bmc.ask(GET_SDR, &head_of(record))?;
            let head = head.ok_or_else(|| at(address, "Get SDR", "refused"))?;
            let (next, sensor) =
                sensor_in(&head).ok_or_else(|| at(address, "Get SDR", "too short"))?;
            bmc.sensors.extend(sensor);
            record = next;
        }
        bmc.read()?;
        Ok(bmc)
    }

    /// The data of an answer; `None` where the BMC refuses.
    fn ask(&mut self, (netfn, cmd): (u8, u8), data: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let message = Message::new_raw(netfn, cmd, data.to_vec());
        let target = RequestTargetAddress::Bmc(LogicalUnit::Zero);
        let answer = self.session.send_recv(&mut Request::new(message, target));
        let answer = answer.map_err(|e| at(self.address, "request", format_args!("{e:?}")))?;
        Ok((answer.cc() == 0).then(|| answer.data().to_vec()))
    }

    /// Reads each sensor once; how many had a value.
    fn read(&mut self) -> Result<u64, Failure> {
        let mut readings = 0;
        for at in 0..self.sensors.len() {
            let reading = self.ask(GET_SENSOR_READING, &[self.sensors[at]])?;
            readings += u64::from(reading.is_some_and(|data| has_value(&data)));
        }
        Ok(readings)
    }

    fn read_until(mut self, end: Instant) -> Result<u64, Failure> {
        let mut readings = 0;
        while Instant::now() < end {
            readings += self.read()?;
        }
        Ok(readings)
    }
}

/// Does it.
pub fn run(task: &Task) -> Result<Done, Failure> {
    // One after the other: what is asked once is not asked in a crowd.
    let bmcs = task.bmcs.iter().map(|bmc| Bmc::open(*bmc, task));
    let bmcs = bmcs.collect::<Result<Vec<_>, _>>()?;
    let (watch, end) = (Watch::start()?, Instant::now() + task.time);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for bmc in bmcs {
            let begun = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, move || bmc.read_until(end));
            threads.push(begun?);
        }
        let mut readings = 0;
        for thread in threads {
            readings += thread
                .join()
                .map_err(|_| "a thread of ipmi-rs panicked")??;
        }
        watch.stop(readings)
    })
}
