//! A cluster of Kafka that was connected to, by a library that would wait and try again for ever if it were let. Apart from
//! what is written to it.

use super::{Mechanism, Table};
use crate::sink::{SinkError, link::CONNECT};
use rskafka::{
    BackoffConfig,
    client::{
        Client, ClientBuilder, Credentials, SaslConfig,
        error::{Error, ProtocolError},
        partition::{Compression, PartitionClient, UnknownTopicHandling},
    },
    record::Record,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// A cluster that was connected to.
pub(super) struct Cluster {
    client: Client,
    pub(super) partitions: Vec<i32>,
    leaders: HashMap<i32, PartitionClient>,
}

impl Cluster {
    /// The leader of a partition.
    pub(super) async fn leader(&mut self, topic: &str, partition: i32) -> Result<&PartitionClient, Error> {
        if !self.leaders.contains_key(&partition) {
            let leader = self.client.partition_client(topic, partition, UnknownTopicHandling::Error).await?;
            self.leaders.insert(partition, leader);
        }
        self.leaders.get(&partition).ok_or(Error::Timeout)
    }

    pub(super) async fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        records: Vec<Record>,
        compression: Compression,
    ) -> Result<(), Error> {
        self.leader(topic, partition).await?.produce(records, compression).await.map(drop)
    }
}

/// Connects to the first broker that can be, and looks the topic up.
pub(super) async fn connect(table: &Table, tls: Option<&Arc<rustls::ClientConfig>>) -> Result<Cluster, SinkError> {
    let mut client = Err(SinkError("there is no broker to ask".into()));
    // One by one: the library waits for ever for a broker that takes a connection and says nothing.
    for broker in &table.brokers {
        let mut builder = ClientBuilder::new(vec![broker.clone()])
            .client_id("honeyplant")
            .max_message_size(16 << 20)
            .backoff_config(BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_millis(500),
                base: 2.0,
                deadline: Some(Duration::from_millis(300)),
            });
        if let Some(config) = tls {
            builder = builder.tls_config(config.clone());
        }
        if let Some(sasl) = &table.sasl {
            let credentials = Credentials::new(sasl.user.clone(), sasl.password.reveal().to_owned());
            builder = builder.sasl_config(match sasl.mechanism {
                Mechanism::Plain => SaslConfig::Plain(credentials),
                Mechanism::ScramSha256 => SaslConfig::ScramSha256(credentials),
                Mechanism::ScramSha512 => SaslConfig::ScramSha512(credentials),
            });
        }
        client = match tokio::time::timeout(CONNECT, builder.build()).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(SinkError(format!("{broker} did not answer in {} s", CONNECT.as_secs()))),
        };
        if client.is_ok() {
            break;
        }
    }
    let client = client?;
    let mut partitions = look_up(&client, &table.topic).await?;
    if let (None, Some(create)) = (&partitions, table.create) {
        let controller = client.controller_client().map_err(|error| failed(&error))?;
        let made =
            controller.create_topic(&table.topic, create.partitions.into(), create.replicas.into(), 10_000).await;
        made.map_err(|error| SinkError(format!("the topic cannot be made: {error}")))?;
        for _ in 0..20 {
            partitions = look_up(&client, &table.topic).await?;
            if partitions.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let missing = || SinkError("there is no such topic; make it, or set `create`".into());
    Ok(Cluster { partitions: partitions.ok_or_else(missing)?, client, leaders: HashMap::new() })
}

/// The partitions of the topic, if it is there.
async fn look_up(client: &Client, topic: &str) -> Result<Option<Vec<i32>>, SinkError> {
    let topics = client.list_topics().await.map_err(|error| failed(&error))?;
    let found = topics.into_iter().find(|found| found.name == topic);
    Ok(found.map(|found| found.partitions.into_iter().collect()).filter(|found: &Vec<i32>| !found.is_empty()))
}

pub(super) fn is_too_large(error: &Error) -> bool {
    let large = [ProtocolError::MessageTooLarge, ProtocolError::RecordListTooLarge];
    matches!(error, Error::ServerError { protocol_error, .. } if large.contains(protocol_error))
}

pub(super) fn failed(error: &impl std::fmt::Display) -> SinkError {
    // What the library was waiting for when it gave up is what an operator wants to know.
    let text = error.to_string();
    SinkError(text.rsplit("Source: ").next().unwrap_or(&text).to_owned())
}
