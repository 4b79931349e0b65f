-- Look no more after a tenant who has no holds, unless some process may still rely on it.
-- KEYS[1] tenants (zset by when they are looked at next) · KEYS[2] tenants (hash, when holds were last taken)
-- ARGV[1] tenant · ARGV[2] milliseconds that processes rely on having registered it
-- Returns 1 unwatched, 0 not yet
-- @include lease-time
if tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0) + ARGV[2] > lease_time() then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
