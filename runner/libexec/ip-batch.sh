#!/bin/sh
# One "ip -batch" for as long as its input lasts. Both outputs are one stream, so that everything comes in the order in which
# it happened.
#
#   sh ip-batch.sh
#
#   a line of ip, such as: addr add 10.0.0.1/24 dev eth0
#            prints what ip prints: JSON for a look, nothing for a change; for a line that failed its reason, and then
#            "Command failed -:N", where N counts all lines from 1
exec ip -json -force -batch - 2>&1
