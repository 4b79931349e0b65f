-- Read a load with its events after one of them.
-- KEYS[1] job · KEYS[2] its events (stream) · KEYS[3] leases
-- ARGV[1] job id · ARGV[2] number of events that are known already
-- Returns {{field, value, …}, {{number, {'e', event as JSON}}, …}, 1 its lease is over | 0}
-- @include now
local expiry = redis.call('ZSCORE', KEYS[3], ARGV[1])
local is_over = (not expiry or tonumber(expiry) <= now()) and 1 or 0
return { redis.call('HGETALL', KEYS[1]), redis.call('XRANGE', KEYS[2], '(' .. ARGV[2] .. '-0', '+'), is_over }
