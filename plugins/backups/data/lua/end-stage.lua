-- All is staged.
-- KEYS[1] restore · ARGV[1] who stages
-- Returns 1, 0 somebody else stages
local run, phase = unpack(redis.call('HMGET', KEYS[1], 'run', 'phase'))
if run ~= ARGV[1] or phase ~= 'staging' then return 0 end
redis.call('HSET', KEYS[1], 'phase', 'staged')
return 1
