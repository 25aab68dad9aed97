"""The real delivery loop in virtual time, against a model of the platform: `pointsman simulate`."""
