-- Have a tenant's holds looked after: whose score is reached is looked at.
-- KEYS[1] tenants (zset by when they are looked at next) · KEYS[2] tenants (hash, when holds were last taken)
-- ARGV[1] tenant · ARGV[2] milliseconds until the next look
-- @include lease-time
local at = lease_time()
redis.call('ZADD', KEYS[1], 'NX', string.format('%d', at + ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], string.format('%d', at))
return 1
