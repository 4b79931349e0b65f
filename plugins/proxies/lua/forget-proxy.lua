-- Look no more at a proxy that is not to run, unless it was noted lately and may be about to.
-- KEYS[1] proxies to be checked, KEYS[2] to be sampled, by when they are due · KEYS[3] by when they were noted last
-- ARGV[1] proxy · ARGV[2] for how long a note keeps it, in ms
-- Returns 1 forgotten, 0 it is kept
-- @include now
local noted = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or 0)
if now() - noted < tonumber(ARGV[2]) then return 0 end
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
return 1
