-- Take or renew the leases on answers that a process writes.
-- KEYS[1] leases (zset of "<tenant id>/<message id>" by expiry)
-- ARGV[1] lease in milliseconds · ARGV[2] XX to renew only those that nobody has ended, or '' · then the members
-- @include lease-time
local expiry = string.format('%d', lease_time() + ARGV[1])
for n = 3, #ARGV do
    if ARGV[2] == 'XX' then
        redis.call('ZADD', KEYS[1], 'XX', expiry, ARGV[n])
    else
        redis.call('ZADD', KEYS[1], expiry, ARGV[n])
    end
end
return 1
