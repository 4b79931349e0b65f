-- Give up what is staged, and unlock the tenant if it was locked for it.
-- KEYS[1] restore · KEYS[2] tenant
-- ARGV[1] restore id · ARGV[2] lifetime of what is left, in milliseconds
-- Returns the phase that it is in now, '' when there is nothing
local phase = redis.call('HGET', KEYS[1], 'phase')
if redis.call('HGET', KEYS[2], 'restoring') == ARGV[1] and phase ~= 'swapping' then
    redis.call('HDEL', KEYS[2], 'restoring')
end
if not phase or phase == 'swapping' or phase == 'done' then return phase or '' end
redis.call('HSET', KEYS[1], 'phase', 'discarded', 'run', '')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'discarded'
