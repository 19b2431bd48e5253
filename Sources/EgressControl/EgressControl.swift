// What the supervisor and the way out say to each other, over a SEQPACKET socket pair.
