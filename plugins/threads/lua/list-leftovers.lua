-- Name what goes with a thread besides what is told of it: its answers that are on their way, or were lately.
-- KEYS[1] thread · KEYS[2] its terms · KEYS[3] what the keys of answers begin with
-- Returns {key, …}
local answers = KEYS[1] .. ':answers'
local keys = { answers, KEYS[1] .. ':running', KEYS[2] }
for _, id in ipairs(redis.call('ZRANGE', answers, 0, -1)) do
    keys[#keys + 1] = KEYS[3] .. id
    keys[#keys + 1] = KEYS[3] .. id .. ':events'
    keys[#keys + 1] = KEYS[1] .. ':replaces:' .. id
end
return keys
