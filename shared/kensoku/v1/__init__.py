"""Generated from protos/kensoku/v1 by `make protos`; never edited."""
