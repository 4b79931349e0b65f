-- So many messages are copied by Redis itself, in a few milliseconds. Of more, or up to an entry, each is read and
-- written again: the newest of each context, so many of all.
local WHOLE, NEWEST, NEWEST_OF_ALL = 10000, 2000, 3000

local function context_key(thread, model) return thread .. ':model:' .. model .. ':messages' end

-- Copies contexts of a thread to a new one. Entries keep their ids: messages are found by the time in them.
-- upto: id of the last entry to copy, or nil
-- Returns the `models` of the new thread, the number of messages
local function copy_contexts(source, target, names, upto)
    local size = 0
    for _, name in ipairs(names) do size = size + redis.call('XLEN', context_key(source, name)) end
    local most = math.min(NEWEST, math.floor(NEWEST_OF_ALL / #names))

    local models, total = {}, 0
    for _, name in ipairs(names) do
        local from, to = context_key(source, name), context_key(target, name)
        if not upto and size <= WHOLE then
            redis.call('COPY', from, to)
        else
            local entries = redis.call('XREVRANGE', from, upto or '+', '-', 'COUNT', most)
            for n = #entries, 1, -1 do redis.call('XADD', to, entries[n][1], unpack(entries[n][2])) end
        end
        local last = redis.call('XREVRANGE', to, '+', '-', 'COUNT', 1)[1]
        if last then
            local count = redis.call('XLEN', to)
            models[name] = { messageCount = count, lastMessageAt = tonumber(last[1]:match('^%d+')) }
            total = total + count
        end
    end
    return models, total
end
