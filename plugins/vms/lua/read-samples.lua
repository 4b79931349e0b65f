-- Read the samples of a VM of the last time; as many as are kept, that is.
-- KEYS[1] samples (stream; the id of an entry begins with its time)
-- ARGV[1] how far back, in ms
-- Returns {time in ms, {{entry id, {field, value, …}}, …}}, the oldest first
-- @include now
local at = now()
return { at, redis.call('XRANGE', KEYS[1], string.format('%d', at - ARGV[1]), '+') }
