//! Subscriptions that another service had.

use redfish_schema::event::EventType;

use super::service::{IDS, IDS_KEY, Kept, SETTINGS, SETTINGS_KEY, SUBSCRIPTIONS};
use super::{
    Definition, Destination, DestinationSettings, EventFilter, Format, MAX_SUBSCRIPTIONS,
    RetryPolicy,
};
use crate::caller::Owner;
use crate::import::{EventRules, ImportError, NewSubscription};
use crate::resource::event_service::definition::MAX_CONTEXT;
use crate::resource::event_service::{MAX_ATTEMPTS, MAX_INTERVAL_S};
use crate::store::{Batch, Store, StoreError};

/// What will be put into a store.
#[derive(Default)]
pub(crate) struct Import {
    subscriptions: Vec<Definition>,
    rules: Option<Kept>,
}

impl Import {
    /// Adds a subscription.
    pub(crate) fn add(
        &mut self,
        new: &NewSubscription<'_>,
        settings: &DestinationSettings,
    ) -> Result<(), ImportError> {
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(ImportError::TooMany(MAX_SUBSCRIPTIONS));
        }
        Destination::parse(new.destination, settings)
            .map_err(|error| ImportError::Destination(error.to_string()))?;
        if new.context.len() > MAX_CONTEXT || new.context.chars().any(char::is_control) {
            return Err(ImportError::Context);
        }
        let unknown = |word: &&String| EventType::from_word(word).is_none();
        if let Some(word) = new.event_types.iter().find(unknown) {
            return Err(ImportError::EventType(word.clone()));
        }
        let filter = EventFilter {
            event_types: new.event_types.to_vec(),
            ..EventFilter::default()
        };
        self.subscriptions.push(Definition {
            destination: new.destination.to_owned(),
            context: (!new.context.is_empty()).then(|| new.context.to_owned()),
            filter,
            headers: Vec::new(),
            verify_certificate: true,
            retry_policy: RetryPolicy::RetryForeverWithBackoff,
            heartbeat_min: None,
            owner: Owner::named(new.owner.to_owned()),
            format: Format::Event,
            report_definitions: Vec::new(),
            is_suspended: false,
        });
        Ok(())
    }

    /// Takes rules in place of the defaults.
    pub(crate) fn set_rules(&mut self, rules: &EventRules) -> Result<(), ImportError> {
        let default = Kept::default();
        let kept = Kept {
            is_enabled: rules.is_enabled.unwrap_or(default.is_enabled),
            attempts: rules.attempts.unwrap_or(default.attempts),
            interval_s: rules.interval_s.unwrap_or(default.interval_s),
        };
        ImportError::within("DeliveryRetryAttempts", kept.attempts, 0, MAX_ATTEMPTS)?;
        let property = "DeliveryRetryIntervalSeconds";
        ImportError::within(property, kept.interval_s, 1, MAX_INTERVAL_S)?;
        self.rules = Some(kept);
        Ok(())
    }

    /// Whether a store has subscriptions already, or had some.
    pub(crate) fn is_taken(store: &Store) -> Result<bool, StoreError> {
        let subscriptions = store.load::<serde_json::Value>(SUBSCRIPTIONS)?;
        Ok(!subscriptions.is_empty() || !store.load::<u64>(IDS)?.is_empty())
    }

    /// What a store has to be told.
    pub(crate) fn put(&self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut next: u64 = 1;
        for definition in &self.subscriptions {
            batch.put(SUBSCRIPTIONS, next.to_string(), definition)?;
            next += 1;
        }
        if next > 1 {
            batch.put(IDS, IDS_KEY, &next)?;
        }
        if let Some(rules) = &self.rules {
            batch.put(SETTINGS, SETTINGS_KEY, rules)?;
        }
        Ok(())
    }
}
