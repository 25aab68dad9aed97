"""Stage 5: leases what is to be sent, prices it, pays for it, sends it and settles it."""
