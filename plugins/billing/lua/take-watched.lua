-- Take tenants whose holds are to be looked at; no other process gets the same ones before the next time.
-- KEYS[1] tenants (zset by when they are looked at next)
-- ARGV[1] milliseconds until the next look · ARGV[2] how many
-- Returns {tenant, …}
-- @include lease-time
local at = lease_time()
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at), 'LIMIT', 0, ARGV[2])
for _, tenant in ipairs(found) do redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[1]), tenant) end
return found
