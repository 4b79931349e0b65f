-- Read an answer with what it has sent out after an event.
-- KEYS[1] answer · KEYS[2] its events (stream)
-- ARGV[1] number of events that are known already
-- Returns {{field, value, …}, {{entry id, {'e', JSON [event, …]}}, …}}; the fields are empty when there is none
local from = '(' .. ARGV[1] .. '-0'
return { redis.call('HGETALL', KEYS[1]), redis.call('XRANGE', KEYS[2], from, '+') }
