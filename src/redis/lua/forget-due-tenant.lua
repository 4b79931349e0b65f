-- Look no more at a tenant with nothing to look at, unless it was noted lately and may be about to have something.
-- KEYS[1] tenants, by when they are due · KEYS[2] the same, by when they were noted last
-- ARGV[1] tenant · ARGV[2] for how long that keeps it, in ms
-- Returns 1 forgotten, 0 it is kept
-- @include now
local noted = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if now() - noted < tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
