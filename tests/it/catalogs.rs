//! Catalogs read from real sources.

mod postgres;
