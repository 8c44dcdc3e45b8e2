//! Delivery of events to their destinations.
