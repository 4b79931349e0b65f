-- Keep where a migration goes on.
-- KEYS[1] schema · KEYS[2] lease
-- ARGV[1] who holds the lease · ARGV[2] lease in ms · ARGV[3] number of the migration · ARGV[4] cursor
-- Returns 1 kept, 0 the lease is lost or the migration is done
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'number') + 1 ~= tonumber(ARGV[3]) then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
return 1
