print("clawjail-egress")
