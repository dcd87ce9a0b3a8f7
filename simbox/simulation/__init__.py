"""Invented countries with known gateways: their subscribers, their calls, and the labels."""
