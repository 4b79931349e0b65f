-- Take the lease of whoever migrates the store.
-- KEYS[1] lease (string: holder)
-- ARGV[1] who takes it · ARGV[2] lease in ms
-- Returns 1 taken, or had already: a command may come twice; 0 somebody else has it
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 1 end
return 0
