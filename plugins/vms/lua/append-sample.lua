-- Keep a sample of a VM that runs. What is asked for when it has just been stopped or deleted leaves no key behind.
-- KEYS[1] VM · KEYS[2] its samples (stream; the id of an entry begins with its time)
-- ARGV[1] how many are kept · ARGV[2] … field, value, …
-- Returns 1 kept, 0 it does not run
-- @include now
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
local at = now()
-- A clock that was set back stands still until it is on again: entries are in the order of time.
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last then at = math.max(at, tonumber(last[1]:match('^%d+'))) end
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[1], string.format('%d-*', at), unpack(ARGV, 2))
return 1
