"""Where somebody says they are: communes, postcodes, hamlets, streets, addresses, found by their names."""
