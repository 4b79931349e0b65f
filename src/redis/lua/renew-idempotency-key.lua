-- Prolong the lease of an idempotency key whose request still runs.
-- KEYS[1] key · ARGV[1] who holds it · ARGV[2] lease in ms
-- Returns 1 prolonged, 0 somebody else's or gone
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
