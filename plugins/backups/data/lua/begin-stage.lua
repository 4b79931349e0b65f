-- Begin to stage what a restore puts back, or begin again; whoever staged before is refused from now on.
-- KEYS[1] restore
-- ARGV[1] who stages · ARGV[2] lifetime in milliseconds
-- Returns {1}, {0, phase} it is being swapped in, or has been
-- @include now
local phase = redis.call('HGET', KEYS[1], 'phase')
if phase == 'collecting' or phase == 'swapping' or phase == 'done' then return { 0, phase } end
redis.call('HSET', KEYS[1], 'phase', 'staging', 'run', ARGV[1], 'until', string.format('%d', now() + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 1 }
