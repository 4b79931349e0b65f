-- Read how busy a proxy is.
-- KEYS[1] leases · KEYS[2] running calls by member · KEYS[3] line · KEYS[4] how long its places count
-- Returns {running calls, those in line}
-- @include lease-time
-- @include leases
local at = lease_time()
return { running_leases(at), redis.call('ZCOUNT', KEYS[4], string.format('(%d', at), '+inf') }
