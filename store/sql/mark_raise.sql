UPDATE inbox_mark SET low = :id WHERE tenant = :tenant AND channel = :channel AND account = :account AND low < :id
