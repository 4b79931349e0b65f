-- Prolong the lease of whoever migrates the store, or give it back.
-- KEYS[1] lease
-- ARGV[1] who holds it · ARGV[2] lease in ms, 0 to give it back
-- Returns 1 done, 0 somebody else's or gone
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
