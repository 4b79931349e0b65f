-- A migration is done: the store is at its schema.
-- KEYS[1] schema · KEYS[2] lease · KEYS[3] history
-- ARGV[1] who holds the lease · ARGV[2] number of the migration · ARGV[3] oldest schema that can work with it
-- ARGV[4] name · ARGV[5] version of the program
-- Returns 1 noted, 0 the lease is lost or the migration was done before
-- @include now
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'number') + 1 ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'number', ARGV[2], 'oldest', ARGV[3], 'program', ARGV[5])
redis.call('HDEL', KEYS[1], 'cursor')
local entry = { number = ARGV[2], name = ARGV[4], program = ARGV[5], at = string.format('%d', now()) }
redis.call('RPUSH', KEYS[3], cjson.encode(entry))
return 1
