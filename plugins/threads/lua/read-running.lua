-- Read the answers of a context that are on their way, with what they have sent out.
-- KEYS[1] the thread's running answers (hash of message id → model)
-- ARGV[1] model · ARGV[2] what the keys of answers begin with
-- Returns {{{field, value, …}, {{entry id, {'e', JSON [event, …]}}, …}}, …}, in no order
local found, running = {}, redis.call('HGETALL', KEYS[1])
for n = 1, #running, 2 do
    if running[n + 1] == ARGV[1] then
        local key = ARGV[2] .. running[n]
        found[#found + 1] = { redis.call('HGETALL', key), redis.call('XRANGE', key .. ':events', '-', '+') }
    end
end
return found
