"""Lava's names for Firelane's spiking networks.

A script for Lava 0.10 that builds a network from `LIF`, `LIFReset`, `TernaryLIF`, `Dense`, `DelayDense`, ring buffers, `Monitor`, `Injector` and `Extractor`, and runs it with
`Loihi2SimCfg(select_tag="fixed_pt")`, runs here once `lava` in its imports is `firelane.lava`, and computes the same to the bit.
`docs/python.md` says what else is the same, and what is not.
"""
