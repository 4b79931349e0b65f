-- The order in which a proxy's members are to be tried. Members: {id, weight, rank}: the lowest rank goes first; among
-- those of one rank, where it goes by load, the one with the fewest running calls for its weight; and among equals each in
-- its turn, as often as its weight says and evenly spread (smooth weighted round robin, as nginx has it).

local function is_before(one, other)
    if one.rank ~= other.rank then return one.rank < other.rank end
    local load, other_load = one.load * other.weight, other.load * one.weight
    if load ~= other_load then return load < other_load end
    if one.turn ~= other.turn then return one.turn > other.turn end
    return one.index < other.index
end

local function is_equal(one, other)
    return one.rank == other.rank and one.load * other.weight == other.load * one.weight
end

local function first_of(members)
    local first = members[1]
    for _, member in ipairs(members) do
        if is_before(member, first) then first = member end
    end
    return first
end

local function take_turns(members, turns_key, lifetime)
    local first, total, changed = first_of(members), 0, {}
    for _, member in ipairs(members) do
        if is_equal(member, first) then
            member.turn, total = member.turn + member.weight, total + member.weight
            changed[#changed + 1] = member
        end
    end
    if #changed == 1 then return end
    local taken = first_of(members)
    -- It goes first this time, whatever is left of its turns.
    taken.rank, taken.turn = -1, taken.turn - total
    local fields = {}
    for _, member in ipairs(changed) do
        fields[#fields + 1], fields[#fields + 2] = member.id, string.format('%d', member.turn)
    end
    redis.call('HSET', turns_key, unpack(fields))
    redis.call('PEXPIRE', turns_key, lifetime)
end

local function order_members(members, is_by_load, running_key, turns_key, lifetime)
    local ids = {}
    for index, member in ipairs(members) do ids[index] = member.id end
    local running = is_by_load and redis.call('HMGET', running_key, unpack(ids)) or {}
    local turns = redis.call('HMGET', turns_key, unpack(ids))
    for index, member in ipairs(members) do
        member.index = index
        member.load = tonumber(running[index] or 0)
        member.turn = tonumber(turns[index] or 0)
    end
    take_turns(members, turns_key, lifetime)
    table.sort(members, is_before)
    for index, member in ipairs(members) do ids[index] = member.id end
    return ids
end
