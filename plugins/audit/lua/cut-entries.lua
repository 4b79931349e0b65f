-- Remove the oldest part of a tenant's audit with its seals, and leave a segment in its place.
-- KEYS[1] head · KEYS[2] audit · KEYS[3] seals · KEYS[4] segments
-- ARGV[1] the head's signature as it was read · ARGV[2] id of the last entry that goes · ARGV[3] id of the first that may
--         stay · ARGV[4] JSON {segment: [field, value, …], head: [field, value, …]}
-- Returns 1 cut, 0 the chain ends elsewhere by now
if redis.call('HGET', KEYS[1], 'mac') ~= ARGV[1] then return 0 end
local cut = cjson.decode(ARGV[4])
redis.call('XADD', KEYS[4], ARGV[2], unpack(cut.segment))
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[3])
redis.call('HSET', KEYS[1], unpack(cut.head))
return 1
