// Serves what SanteDB's configuration says by Mono's own HttpListener, as SanteDB does: see RestHttpBinding.cs and
// EndpointDescription.cs of RestSrvr, and SanteDBConfiguration.cs of santedb-api.
//
//   mono SanteDB.exe [--config=FILE]    serves the endpoints of the configuration
//   mono SanteDB.exe PREFIX...          serves these prefixes
//
// Says "ready" when all listen, and serves until it is killed.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Reflection;
using System.Text;
using System.Threading;
using System.Xml;

static class Program
{
    const string Instance = "http://www.w3.org/2001/XMLSchema-instance";

    static void Main(string[] arguments)
    {
        List<string> prefixes = new List<string>();
        string folder = Path.GetDirectoryName(Assembly.GetEntryAssembly().Location);
        string config = Path.Combine(folder, "santedb.config.xml");
        foreach (string argument in arguments)
        {
            if (argument.StartsWith("--config=")) config = argument.Substring("--config=".Length);
            else if (argument.StartsWith("http")) prefixes.Add(argument);
        }
        if (prefixes.Count == 0) Load(config, folder, prefixes);
        foreach (string prefix in prefixes)
        {
            HttpListener listener = new HttpListener();
            listener.Prefixes.Add(prefix);
            listener.Start();
            Thread thread = new Thread(() => Serve(listener, prefix));
            thread.IsBackground = true;
            thread.Start();
        }
        Console.WriteLine("ready");
        Console.Out.Flush();
        Thread.Sleep(Timeout.Infinite);
    }

    static void Load(string path, string folder, List<string> prefixes)
    {
        XmlDocument document = new XmlDocument();
        document.Load(path);
        XmlElement root = document.DocumentElement;
        if (root.LocalName != "SanteDBConfiguration") throw new InvalidDataException(root.LocalName);
        foreach (XmlNode node in root.ChildNodes)
        {
            XmlElement element = node as XmlElement;
            if (element == null) continue;
            if (element.LocalName == "include")
            {
                string name = element.InnerText.Trim().Replace('\\', Path.DirectorySeparatorChar);
                Load(Path.Combine(folder, name), folder, prefixes);
            }
            else if (element.LocalName == "section")
            {
                string[] type = element.GetAttribute("type", Instance).Split(':');
                if (type[type.Length - 1] == "RestConfigurationSection") Endpoints(element, prefixes);
            }
        }
    }

    static void Endpoints(XmlElement section, List<string> prefixes)
    {
        foreach (XmlNode service in section.ChildNodes)
        {
            if (service.LocalName != "service") continue;
            foreach (XmlNode node in service.ChildNodes)
            {
                if (node.LocalName != "endpoint" || node.NamespaceURI != section.NamespaceURI) continue;
                string address = ((XmlElement)node).GetAttribute("address").Replace("://0.0.0.0", "://+");
                prefixes.Add(address.EndsWith("/") ? address : address + "/");
            }
        }
    }

    static void Serve(HttpListener listener, string prefix)
    {
        while (true)
        {
            try
            {
                HttpListenerContext context = listener.GetContext();
                byte[] said = Encoding.UTF8.GetBytes(prefix);
                context.Response.ContentLength64 = said.Length;
                context.Response.OutputStream.Write(said, 0, said.Length);
                context.Response.Close();
            }
            catch (HttpListenerException) { }
            catch (IOException) { }
            catch (ObjectDisposedException) { return; }
        }
    }
}
