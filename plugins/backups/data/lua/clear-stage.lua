-- Remove some of what is staged.
-- KEYS[1] restore · KEYS[2] what staged keys begin with · KEYS[3] what is staged · KEYS[4] what goes · KEYS[5] what does
-- not come back · then aggregates and indexes of each component
-- ARGV[1] the phase it is in · ARGV[2] who stages, or '' · ARGV[3] how many at least · ARGV[4] JSON of keys that are parts
-- Returns 1 there is more, 0 nothing is left, -1 it is in another phase or somebody else's
local phase, run = unpack(redis.call('HMGET', KEYS[1], 'phase', 'run'))
if phase ~= ARGV[1] or (ARGV[2] ~= '' and run ~= ARGV[2]) then return -1 end
local most, count = tonumber(ARGV[3]), 0
for n = 6, #KEYS, 2 do
    while count < most do
        local keys = redis.call('LPOP', KEYS[n])
        if not keys then break end
        for _, key in ipairs(cjson.decode(keys)) do
            redis.call('UNLINK', KEYS[2] .. key)
            count = count + 1
        end
    end
    if count < most then
        for _, key in ipairs(redis.call('SPOP', KEYS[n + 1], most - count)) do
            redis.call('UNLINK', KEYS[2] .. key)
            count = count + 1
        end
    end
end
if count >= most then return 1 end
for _, key in ipairs(cjson.decode(ARGV[4])) do redis.call('UNLINK', KEYS[2] .. key) end
redis.call('UNLINK', KEYS[3], KEYS[4], KEYS[5])
return 0
