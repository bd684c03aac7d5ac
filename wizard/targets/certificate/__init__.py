"""What is asked about a server's certificate: a chapter for each page, each building on those before."""
