//! The crate `ipmi`: tokio, one task a BMC.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ipmi::{Client, PrivilegeLevel};
use tokio::task::{JoinSet, LocalSet};

use crate::{
    Done, FIRST, Failure, GET_SDR, GET_SENSOR_READING, LAST, Task, Watch, at, has_value, head_of,
    sensor_in,
};

/// A session and what it reads.
struct Bmc {
    address: SocketAddr,
    client: Client,
    sensors: Vec<u8>,
}

impl Bmc {
    async fn open(address: SocketAddr, task: Arc<Task>) -> Result<Self, Failure> {
        let client = Client::builder(address)
            .username(&task.user)
            .password(&task.password)
            .privilege_level(PrivilegeLevel::User)
            .build();
        let mut bmc = Self {
            address,
            client: client.await.map_err(|e| at(address, "log-in", e))?,
            sensors: Vec::new(),
        };
        let mut record = FIRST;
        while record != LAST {
            let head = bmc.ask(GET_SDR, &head_of(record)).await?;
            let head = head.ok_or_else(|| at(address, "Get SDR", "refused"))?;
            let (next, sensor) =
                sensor_in(&head).ok_or_else(|| at(address, "Get SDR", "too short"))?;
            bmc.sensors.extend(sensor);
            record = next;
        }
        bmc.read().await?;
        Ok(bmc)
    }

    /// The data of an answer; `None` where the BMC refuses.
    async fn ask(&self, (netfn, cmd): (u8, u8), data: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.client.send_raw(netfn, cmd, data).await;
        let answer = answer.map_err(|e| at(self.address, "request", e))?;
        Ok((answer.completion_code == 0).then_some(answer.data))
    }

    /// Reads each sensor once; how many had a value.
    async fn read(&self) -> Result<u64, Failure> {
        let mut readings = 0;
        for sensor in &self.sensors {
            let reading = self.ask(GET_SENSOR_READING, &[*sensor]).await?;
            readings += u64::from(reading.is_some_and(|data| has_value(&data)));
        }
        Ok(readings)
    }

    async fn read_until(self, end: Instant) -> Result<(u64, Client), Failure> {
        let mut readings = 0;
        while Instant::now() < end {
            readings += self.read().await?;
        }
        Ok((readings, self.client))
    }
}

/// Does it.
pub fn run(task: &Task) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Its log-in can't be handed from thread to thread.
    LocalSet::new().block_on(&runtime, async {
        let shared = Arc::new(task.clone());
        let mut opening = JoinSet::new();
        for bmc in &task.bmcs {
            opening.spawn_local(Bmc::open(*bmc, Arc::clone(&shared)));
        }
        let mut bmcs = Vec::new();
        while let Some(bmc) = opening.join_next().await {
            bmcs.push(bmc??);
        }
        let (watch, end) = (Watch::start()?, Instant::now() + task.time);
        let mut reading = JoinSet::new();
        for bmc in bmcs {
            reading.spawn_local(bmc.read_until(end));
        }
        let (mut readings, mut clients) = (0, Vec::new());
        while let Some(read) = reading.join_next().await {
            let (count, client) = read??;
            readings += count;
            clients.push(client);
        }
        let done = watch.stop(readings)?;
        for client in clients {
            client.close_session().await?;
        }
        Ok(done)
    })
}
