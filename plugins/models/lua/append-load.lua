-- Renew the lease on a load, and append an event to its log if there is one.
-- KEYS[1] job · KEYS[2] its events (stream; the id of an entry is its number, from 1) · KEYS[3] leases
-- ARGV[1] job id · ARGV[2] lease in ms · ARGV[3] number of the event, or 0 · ARGV[4] event as JSON
-- ARGV[5] lifetime in ms · ARGV[6] channel of those who follow it
-- Returns 1 done, now or by an earlier try whose answer was lost, 0 the load was ended by somebody else
-- @include now
if redis.call('HGET', KEYS[1], 'state') ~= 'loading' then return 0 end
redis.call('ZADD', KEYS[3], string.format('%d', now() + ARGV[2]), ARGV[1])
if ARGV[3] == '0' or redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 1 end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('HSET', KEYS[1], 'progress', ARGV[4])
redis.call('PUBLISH', ARGV[6], '')
return 1
