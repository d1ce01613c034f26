//! Random streams against models.
